import type { RequestContext } from '../context.ts'

/** Fields a check string may name with `%(field)s`. */
export type PolicyTarget = Readonly<Record<string, unknown>>

export interface Policy {
  /** Throws PolicyNotAuthorized. Without a target: the caller's own project and user. */
  authorize(rule: string, ctx: RequestContext, target?: PolicyTarget): void
  allows(rule: string, ctx: RequestContext, target?: PolicyTarget): boolean
  /** True when such a rule is registered or in the operator's file. Field rules count only then. */
  defines(rule: string): boolean
  /** Grows each time the rules were read anew; caches of rendered answers key on it. */
  readonly version: number
}
