"""The alarms of all rooms, and composite alarms over them, of which one wakes an operator."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.monitoring.burn_rate import BurnRate, Objective
from infra.constructs.monitoring.metrics import own
from infra.constructs.monitoring.symptom import Symptom, described

_SUCCESS_SHARE: Final = 0.995
"""The share of finished payments that ends by an answer of payer or bank, not by a failure of ours or a provider's."""
_RUNBOOK_OF_THE_OBJECTIVE: Final = "success-objective"


class Alarms(Construct):
    """`page` is the topic that wakes an operator, `ticket` the one that can wait; both also say when an alarm ends.

    Without `ticket_alarms` there are only those that wake an operator, and their parts. A symptom's name becomes a part
    of the alarm's name, so the names never change.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        page: sns.ITopic,
        ticket: sns.ITopic,
        ticket_alarms: bool,
        symptoms: Mapping[str, Symptom],
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self._page, self._ticket = actions.SnsAction(page), actions.SnsAction(ticket)
        made = {name: symptom for name, symptom in symptoms.items() if ticket_alarms or not symptom.can_wait}
        self.plain = {name: self._alarm(name, symptom) for name, symptom in made.items()}
        success = BurnRate(self, "Success", objective=self._objective())
        impairing = [alarm for name, alarm in self.plain.items() if made[name].impairs_payments]
        fast = success.fast()
        composites = [self._payments_impaired(fast, impairing)]
        if ticket_alarms:
            self.success_burns_fast = self._success_burns_fast(fast)
            composites += [self.success_burns_fast, self._success_burns_slowly(success.slow())]
        self.all: list[cloudwatch.IAlarm] = [*composites, *self.plain.values(), *success.windows]

    def _alarm(self, name: str, symptom: Symptom) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_description=described(symptom.says, symptom.runbook),
            metric=symptom.metric,
            threshold=symptom.threshold,
            evaluation_periods=symptom.periods,
            comparison_operator=symptom.comparison,
            treat_missing_data=symptom.missing,
        )
        self._notify(alarm, self._page if symptom.pages else self._ticket)
        return alarm

    @staticmethod
    def _notify(alarm: cloudwatch.AlarmBase, action: actions.SnsAction) -> None:
        alarm.add_alarm_action(action)
        alarm.add_ok_action(action)

    def _payments_impaired(
        self, fast: cloudwatch.IAlarmRule, impairing: list[cloudwatch.Alarm]
    ) -> cloudwatch.CompositeAlarm:
        parts = (cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM) for alarm in impairing)
        return self._composite(
            self._page,
            "PaymentsImpaired",
            cloudwatch.AlarmRule.any_of(fast, *parts),
            described("Payments fail, are refused or wait, and merchants notice.", "payments-impaired"),
        )

    def _success_burns_fast(self, rule: cloudwatch.IAlarmRule) -> cloudwatch.CompositeAlarm:
        """It depends on no function: the routing document, for which functions wait, is rolled back by it."""
        says = "Payments fail fourteen times faster than the objective allows, by a fault of ours or of a provider."
        description = described(says, _RUNBOOK_OF_THE_OBJECTIVE)
        return self._composite(self._ticket, "SuccessBurnsFast", rule, description)

    def _success_burns_slowly(self, rule: cloudwatch.IAlarmRule) -> cloudwatch.CompositeAlarm:
        says = "A small share of payments keeps failing, by a fault of ours or of a provider."
        description = described(says, _RUNBOOK_OF_THE_OBJECTIVE)
        return self._composite(self._ticket, "SuccessBurnsSlowly", rule, description)

    def _composite(
        self, action: actions.SnsAction, name: str, rule: cloudwatch.IAlarmRule, description: str
    ) -> cloudwatch.CompositeAlarm:
        alarm = cloudwatch.CompositeAlarm(self, name, alarm_description=description, alarm_rule=rule)
        self._notify(alarm, action)
        return alarm

    def _objective(self) -> Objective:
        def missed(window: Duration, statistic: str) -> cloudwatch.Metric:
            return own("ObjectiveMissed", self._environment, statistic=statistic, period=window)

        return Objective(
            share=_SUCCESS_SHARE,
            missed=missed,
            runbook=_RUNBOOK_OF_THE_OBJECTIVE,
            says="Payments fail by a fault of ours or of a provider.",
        )
