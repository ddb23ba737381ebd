"""What happens to data after it is stored: retention, deletion, backups, checks."""
