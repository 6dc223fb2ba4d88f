"""A real Prometheus, told what a stack ships, finds tasks by the API of Amazon ECS.

The API is moto's, which gives tasks addresses that nobody answers at: that they are asked is seen, not what they say.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from tests.real.object_stores import aws, environment
from tests.real.reference_app import eventually
from tests.real.services import HOST, free_port
from tests.real.watching import program
from tests.unit.programs import files_of, shipped

HERE = Path(__file__).parent


def run_tasks(url: str, *services: str) -> str:
    """Run a task of each service; return the ARN of their cluster."""
    command = [str(environment() / "python"), str(HERE / "ecs_tasks.py"), url, *services]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def configuration(cluster: str, port: int) -> str:
    """Adapt what is shipped: another cluster, a port that is free here, and less patience."""
    document = yaml.safe_load(files_of(shipped("prod"), "auterity-prometheus")["prometheus.yml"])
    [tasks] = [each for each in document["scrape_configs"] if each["job_name"] == "tasks"]
    tasks["aws_sd_configs"][0] |= {"clusters": [cluster], "port": port, "refresh_interval": "1s"}
    return yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [tasks]})


def test_a_task_is_found_by_the_apps_service_and_asked_as_a_copy_of_the_app(tmp_path: Path) -> None:
    with aws(tmp_path, str(environment() / "python"), str(HERE / "ecs_server.py")) as cloud:
        port = free_port()
        cluster = run_tasks(cloud.url, "auterity-prod-app-1a2b3c4", "somebody-elses")
        (tmp_path / "prometheus.yml").write_text(configuration(cluster, port))
        flags = [f"--web.listen-address={HOST}:{port}", f"--storage.tsdb.path={tmp_path / 'data'}"]
        # Discovery takes no authorities from the environment, as a developer's may hold.
        surroundings = {**cloud.told, "AWS_ENDPOINT_URL": cloud.url, "AWS_CA_BUNDLE": ""}
        with program("prometheus", tmp_path, port, flags, environment=surroundings) as prometheus:
            eventually(lambda: prometheus.ask("up") != [])
            [found] = prometheus.ask("up")
            assert (found["metric"]["job"], found["metric"]["namespace"]) == ("auterity-app", "ecs")
            assert found["metric"]["instance"].startswith("10.")
            assert found["metric"]["instance"].endswith(f":{port}")
            assert found["metric"]["pod"]
