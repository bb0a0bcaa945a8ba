"""Waking a worker: at once when nobody else does, else together with the others."""

import threading

from moderation.waker import Waker

SECONDS = 10.0


class SlowJobs:
    """A Redis that answers when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.busy, self.let = threading.Event(), threading.Semaphore(0)

    def wake_scoring(self) -> bool:
        self.asked += 1
        self.busy.set()
        assert self.let.acquire(timeout=SECONDS)
        return True


def in_thread(waker: Waker) -> threading.Thread:
    thread = threading.Thread(target=waker.wake)
    thread.start()
    return thread


def until_asked(jobs: SlowJobs, times: int) -> None:
    pause = threading.Event()
    for _ in range(1000):
        if jobs.asked >= times:
            return
        pause.wait(SECONDS / 1000)
    raise AssertionError(f"asked {jobs.asked} times, not {times}")


def test_who_comes_alone_has_asked_when_it_returns() -> None:
    jobs = SlowJobs()
    jobs.let.release()
    Waker(jobs).wake()  # type: ignore[arg-type]
    assert jobs.asked == 1


def test_all_who_come_while_one_asks_are_asked_for_once_more_and_do_not_wait() -> None:
    jobs = SlowJobs()
    waker = Waker(jobs)  # type: ignore[arg-type]
    first = in_thread(waker)
    assert jobs.busy.wait(SECONDS)
    for _ in range(20):
        waker.wake()
    assert jobs.asked == 1
    jobs.let.release(2)
    first.join(SECONDS)
    until_asked(jobs, 2)
    assert jobs.asked == 2


def test_who_comes_during_the_second_question_is_asked_for_by_a_third() -> None:
    jobs = SlowJobs()
    waker = Waker(jobs)  # type: ignore[arg-type]
    first = in_thread(waker)
    assert jobs.busy.wait(SECONDS)
    waker.wake()
    jobs.let.release()
    first.join(SECONDS)
    until_asked(jobs, 2)
    waker.wake()
    jobs.let.release(2)
    until_asked(jobs, 3)


def test_a_process_that_ends_asks_for_those_who_were_left() -> None:
    jobs = SlowJobs()
    waker = Waker(jobs)  # type: ignore[arg-type]
    waker._again.set()
    jobs.let.release()
    waker.ask_if_wanted()
    waker.ask_if_wanted()
    assert jobs.asked == 1
