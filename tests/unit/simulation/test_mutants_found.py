"""The page of broken designs says what is remembered, and nothing is on it that nobody hunted."""

from simulation.mutants import MUTANTS, OPEN_MUTANTS
from simulation.mutants_found import PAGE, page, read_found


def test_the_page_is_written_from_what_was_found() -> None:
    assert PAGE.read_text() == page(), "run `PYTHONPATH=functions:. python -m simulation.mutants_found`"


def test_nothing_is_remembered_about_a_design_that_is_gone() -> None:
    assert set(read_found()) <= {mutant.name for mutant in MUTANTS if not mutant.survives}


def test_each_name_stands_for_one_design() -> None:
    names = [mutant.name for mutant in (*MUTANTS, *OPEN_MUTANTS)]
    assert len(names) == len(set(names))
