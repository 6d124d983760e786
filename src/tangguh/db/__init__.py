"""The only package that knows the driver: connections, migrations, SQL, embedded server."""
