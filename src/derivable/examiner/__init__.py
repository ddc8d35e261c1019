"""The examiner: it finds wrong backwards, and states why they are wrong."""

from derivable.examiner.called import examine as examine
from derivable.examiner.check import check as check
from derivable.examiner.check import check_gradient as check_gradient
from derivable.examiner.finding import Finding as Finding
from derivable.examiner.finding import Section as Section
from derivable.examiner.finding import Severity as Severity
from derivable.examiner.finding import Verdict as Verdict
from derivable.examiner.inputs.declared import declare as declare
from derivable.examiner.inputs.declared import load_declarations as load_declarations
from derivable.examiner.report import Report as Report
from derivable.examiner.settings import Level as Level
from derivable.examiner.settings import Settings as Settings
