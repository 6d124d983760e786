"""What is seen before anybody has logged in: the door, and whom the demo lets one be."""
