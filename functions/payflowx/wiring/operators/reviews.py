"""The wiring of operators' commands about reviews, which only a person can decide."""

from dataclasses import dataclass
from functools import cached_property

from payflowx.adapters.dynamodb.payments.review_index import DynamoDBReviewIndex
from payflowx.application.reviews.close_operation_review import CloseOperationReview
from payflowx.application.reviews.close_review import CloseReview
from payflowx.application.reviews.list_reviews import ListReviews
from payflowx.application.reviews.reindex_reviews import ReindexReviews
from payflowx.application.reviews.resolve_payment import ResolvePayment
from payflowx.application.reviews.show_review import ShowReview
from payflowx.wiring.operators.base import OperatorsBase


@dataclass(kw_only=True)
class ReviewCommands(OperatorsBase):
    @cached_property
    def resolve_payment(self) -> ResolvePayment:
        return ResolvePayment(
            payments=self.payments, outcome_writer=self.outcome_writer, clock=self.platform.clock, policy=self.policy
        )

    @cached_property
    def list_reviews(self) -> ListReviews:
        return ListReviews(index=self._review_index, merchant_directory=self.merchant_directory)

    @cached_property
    def reindex_reviews(self) -> ReindexReviews:
        return ReindexReviews(
            payments=self.payments,
            operations=self.operations,
            index=self._review_index,
            merchant_directory=self.merchant_directory,
            clock=self.platform.clock,
        )

    @cached_property
    def _review_index(self) -> DynamoDBReviewIndex:
        return DynamoDBReviewIndex(client=self.platform.clients.dynamodb, table=self.settings.transactions_table)

    @cached_property
    def show_review(self) -> ShowReview:
        return ShowReview(
            payments=self.payments, operations=self.operations, clock=self.platform.clock, policy=self.policy
        )

    @cached_property
    def close_review(self) -> CloseReview:
        return CloseReview(
            payments=self.payments,
            operations=self.operations,
            outcome_writer=self.outcome_writer,
            merchant_directory=self.merchant_directory,
            able=self.providers.capabilities(),
            clock=self.platform.clock,
            policy=self.policy,
        )

    @cached_property
    def close_operation_review(self) -> CloseOperationReview:
        return CloseOperationReview(
            payments=self.payments,
            operations=self.operations,
            outcome_writer=self.outcome_writer,
            merchant_directory=self.merchant_directory,
            clock=self.platform.clock,
            policy=self.policy,
        )
