"""Pictures drawn with matplotlib, and pages that hold them: what `calibvcs.ops` found out, as files for people."""
