"""The doors networks come in by over HTTP: notices, the acquirer's counter, the BI-FAST hub."""
