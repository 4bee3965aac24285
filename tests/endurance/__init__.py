"""What does not show in one request: what many leave behind, and what hostile ones cost."""
