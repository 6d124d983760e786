"""The only package that knows the driver: connections, migrations, named SQL, the embedded server."""
