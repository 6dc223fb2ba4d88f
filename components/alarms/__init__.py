"""Alarms of what runs on AWS: what they watch, as data, and who hears of them."""

from components.alarms.alarm import Alarm, Metric
from components.alarms.alarms import Alarms, AlarmsArgs
from components.alarms.topic import AlarmTopic, AlarmTopicArgs

__all__ = ["Alarm", "AlarmTopic", "AlarmTopicArgs", "Alarms", "AlarmsArgs", "Metric"]
