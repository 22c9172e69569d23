"""What only the people's own devices do: sealing and opening. The server cannot import this room."""
