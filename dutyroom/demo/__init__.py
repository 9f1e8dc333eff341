"""The demo: broker, service and simulated machines in one process, and a story that can be watched."""
