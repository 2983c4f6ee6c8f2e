import type { Logger } from '../../src/orchestration/ports/clock.ts'

/** For what a test looks at in other ways. */
export const quietLog: Logger = { debug() {}, info() {}, warn() {}, error() {} }
