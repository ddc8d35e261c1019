"""The examiner: it finds wrong backwards, and says in words why they are wrong."""

from derivable.examiner.called import examine as examine
from derivable.examiner.check import check as check
from derivable.examiner.check import check_gradient as check_gradient
from derivable.examiner.finding import Finding as Finding
from derivable.examiner.report import Report as Report
