"""What several test modules share: requests, variants, listeners."""
