"""Beat trackers: each module is a plug-in with `open_tracker() -> BeatTracker`."""
