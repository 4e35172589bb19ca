"""What people do on the dashboard, operators among them."""
