"""Pages: templates, static files and the handlers that fill them."""
