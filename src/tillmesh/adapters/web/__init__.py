"""HTTP as our programs serve it: bounded requests, problem documents, the guard, pages and the parts they share."""
