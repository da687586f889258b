"""From sections to one self-contained HTML page."""
