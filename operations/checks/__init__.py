"""Looking at the running platform: checklists, troubleshooting, status. Nothing here changes anything by itself."""
