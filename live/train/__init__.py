"""From recorded dances to a model folder: prepare, train, export. Uses torch; nothing that performs imports it."""
