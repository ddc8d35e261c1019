"""What an argument always is, to be declared for `derivable.check`.

    contracts = {"A": Symmetric(), "p": Between(0, 1)}  # in the class of a Function

As text, on the command line and in `check(f, A, contracts={"A": "symmetric"})`, a contract is
written as its `text`. Each has `holds(x)`, `restore(x)` and `tangent(x, direction)`.
"""

from derivable.examiner.inputs.contract_text import contract_of as contract_of
from derivable.examiner.inputs.contract_text import parse_contract as parse_contract
from derivable.examiner.inputs.contracts import Contract as Contract
from derivable.examiner.inputs.contracts import Definite as Definite
from derivable.examiner.inputs.contracts import LogSimplex as LogSimplex
from derivable.examiner.inputs.contracts import Lower as Lower
from derivable.examiner.inputs.contracts import OneHot as OneHot
from derivable.examiner.inputs.contracts import Rotation as Rotation
from derivable.examiner.inputs.contracts import Simplex as Simplex
from derivable.examiner.inputs.contracts import Sorted as Sorted
from derivable.examiner.inputs.contracts import Symmetric as Symmetric
from derivable.examiner.inputs.contracts import Unit as Unit
from derivable.examiner.inputs.contracts import Upper as Upper
from derivable.examiner.inputs.contracts_of_entries import Between as Between
from derivable.examiner.inputs.contracts_of_entries import Distinct as Distinct
from derivable.examiner.inputs.contracts_of_entries import FixedSize as FixedSize
from derivable.examiner.inputs.contracts_of_entries import Index as Index
from derivable.examiner.inputs.contracts_of_entries import Integer as Integer
from derivable.examiner.inputs.contracts_of_entries import Nonzero as Nonzero
from derivable.examiner.inputs.contracts_of_entries import Probability as Probability
from derivable.examiner.inputs.contracts_of_entries import Several as Several
