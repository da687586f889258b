import sys
from pathlib import Path

# the helper modules beside the tests
sys.path.insert(0, str(Path(__file__).parent))
# the doctest collector would import it as a module; it is loaded as a plug-in file
collect_ignore = ["bench_toy.py"]
