"""How BI-FAST messages are written: trees, schemas, JSON and XML. Knows nothing of payments."""
