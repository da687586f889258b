"""Run lengths of charts: as Markov chains, exactly, and the least delay that anybody can attain."""
