/* SPDX-License-Identifier: GPL-2.0 */
/*
 * escalation.h - PURE: when a livelocked domain goes to `serial`, and when back.
 *
 * Includes no kernel header; the host unit tests compile the same source.
 */
#ifndef HEADWAY_ESCALATION_H
#define HEADWAY_ESCALATION_H

#include "headway_types.h"

/* A relapse doubles the healthy windows that are asked for, so many times at most. */
#define HEADWAY_ESCALATION_LEVELS 6

/**
 * enum headway_escalation_step - what is to be done now
 * @HEADWAY_ESCALATION_NOTHING: nothing
 * @HEADWAY_ESCALATION_RAISE: make the policy `serial`
 * @HEADWAY_ESCALATION_LOWER: make it again what it was
 */
enum headway_escalation_step {
	HEADWAY_ESCALATION_NOTHING,
	HEADWAY_ESCALATION_RAISE,
	HEADWAY_ESCALATION_LOWER,
};

/**
 * struct headway_escalation - where a domain stands; all 0 to begin with
 * @raised: the policy is `serial` because of us
 * @busy: a step was asked for whose end has not been reported
 * @need: healthy windows that this time are asked for
 * @healthy: healthy windows since the policy became `serial` or the last alarm
 * @calm: healthy windows since the policy was restored
 * @level: relapses in a row, HEADWAY_ESCALATION_LEVELS at most
 * @refused: changes of the policy in a row that could not be made
 * @hold_off: windows left before the next attempt, after one that could not be made
 * @relapses: ever
 */
struct headway_escalation {
	bool raised;
	bool busy;
	u32 need;
	u32 healthy;
	u32 calm;
	u32 level;
	u32 refused;
	u32 hold_off;
	u64 relapses;
};

/**
 * struct headway_escalation_window - what one window means for it
 * @enabled: setting escalate
 * @healthy_windows: setting, at least what makes a verdict
 * @livelock: livelock is believed, and this window showed it too
 * @raisable: the policy is another than `serial` and has been in force all window long
 * @healthy: something was committed, and the window showed no alarm
 * @alarm: the window showed an alarm
 */
struct headway_escalation_window {
	bool enabled;
	u32 healthy_windows;
	bool livelock;
	bool raisable;
	bool healthy;
	bool alarm;
};

enum headway_escalation_step
headway_escalation_window(struct headway_escalation *e,
			  const struct headway_escalation_window *window);
void headway_escalation_ended(struct headway_escalation *e, enum headway_escalation_step step,
			      bool changed);
void headway_escalation_override(struct headway_escalation *e);

#endif /* HEADWAY_ESCALATION_H */
