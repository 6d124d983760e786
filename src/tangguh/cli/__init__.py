"""The operator's door: the command line and the processes it runs."""
