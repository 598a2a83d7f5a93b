"""The networks, in torch. Nothing that performs imports this room."""
