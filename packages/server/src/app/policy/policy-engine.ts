import { readFileSync, statSync } from 'node:fs'
import { parse } from 'yaml'
import { enforceRule, parseRule, type Check } from '../../domain/policy/check.ts'
import { DEFAULT_RULES } from '../../domain/policy/default-rules.ts'
import { messageOf, PolicyNotAuthorized } from '../../domain/errors.ts'
import type { Logger } from '../../orchestration/ports/clock.ts'
import type { RequestContext } from '../context.ts'
import type { Policy, PolicyTarget } from '../ports/policy.ts'

/** Files are looked at again after this time, not at every check. */
const RELOAD_CHECK_MS = 1_000

/**
 * The registered rules with the operator's file on top. The file is read anew when it changes; while it is missing or
 * broken the last good rules stay in force.
 */
export class PolicyEngine implements Policy {
  readonly #file: string | null
  readonly #log: Logger
  #rules: ReadonlyMap<string, Check>
  #version = 1
  #stamp = ''
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(options: { file: string | null; log: Logger }) {
    this.#file = options.file
    this.#log = options.log
    this.#rules = compile({})
    this.#refresh()
  }

  get version(): number {
    this.#refresh()
    return this.#version
  }

  authorize(rule: string, ctx: RequestContext, target?: PolicyTarget): void {
    if (!this.allows(rule, ctx, target)) throw new PolicyNotAuthorized(rule)
  }

  allows(rule: string, ctx: RequestContext, target?: PolicyTarget): boolean {
    this.#refresh()
    const { caller } = ctx
    const credentials = {
      user_id: caller.userId,
      user: caller.userId,
      user_domain_id: caller.userDomainId,
      user_domain: caller.userDomainId,
      project_id: caller.projectId,
      tenant: caller.projectId,
      project_domain_id: caller.projectDomainId,
      project_domain: caller.projectDomainId,
      roles: caller.roles,
      is_admin: ctx.isAdmin,
      is_admin_project: true,
    }
    const own = { project_id: caller.projectId, user_id: caller.userId }
    return enforceRule(rule, { rules: this.#rules, defaultRule: 'default', credentials, target: target ?? own })
  }

  defines(rule: string): boolean {
    return this.#rules.has(rule)
  }

  #refresh(): void {
    const now = performance.now()
    if (this.#file === null || now - this.#lookedAt < RELOAD_CHECK_MS) return
    this.#lookedAt = now
    try {
      const { mtimeMs, size, ino } = statSync(this.#file)
      const stamp = `${mtimeMs}:${size}:${ino}`
      if (stamp === this.#stamp) return
      this.#stamp = stamp
      const overrides: unknown = parse(readFileSync(this.#file, 'utf8')) ?? {}
      if (typeof overrides !== 'object' || Array.isArray(overrides)) throw new Error('it is not a mapping of rules')
      this.#rules = compile(overrides as Record<string, unknown>)
      this.#version += 1
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT' && this.#stamp === '') return
      this.#stamp = this.#stamp === '' ? 'unreadable' : this.#stamp
      this.#log.warn(
        { file: this.#file, why: messageOf(error) },
        'the policy file cannot be used; the last good rules stay',
      )
    }
  }
}

function compile(overrides: Readonly<Record<string, unknown>>): ReadonlyMap<string, Check> {
  return new Map(Object.entries({ ...DEFAULT_RULES, ...overrides }).map(([name, rule]) => [name, parseRule(rule)]))
}
