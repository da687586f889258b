"""The drift track: ``track.py`` says what is compared, ``run.py`` runs it, ``analysis.py`` sums it up."""
