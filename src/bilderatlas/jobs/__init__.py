"""Long work with progress, resume and cancel: the queue and its worker."""

from bilderatlas.jobs.kinds import JOB_KINDS, JobContext, JobKind
from bilderatlas.jobs.queue import Job, JobQueue, JobState

__all__ = ["JOB_KINDS", "Job", "JobContext", "JobKind", "JobQueue", "JobState"]
