"""From a query to its hits: combine, candidates, filter, rerank, hits, one file a step."""
