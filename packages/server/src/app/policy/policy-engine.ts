import { enforceRule, type RuleSet } from '../../domain/policy/check.ts'
import { compileRules, problemText } from '../../domain/policy/rule-set.ts'
import { messageOf, PolicyNotAuthorized } from '../../domain/errors.ts'
import type { Logger } from '../../orchestration/ports/clock.ts'
import type { RequestContext } from '../context.ts'
import type { Policy, PolicyTarget } from '../ports/policy.ts'
import { credentialsOf } from './credentials.ts'
import { findPolicyFiles, readPolicyFiles, type PolicyFiles } from './policy-files.ts'

/** Files are looked at again after this time, not at every check. */
const RELOAD_CHECK_MS = 1_000

export interface PolicyOptions {
  /** null: only the registered rules. */
  readonly file: string | null
  readonly dirs?: readonly string[]
  /** Rule that stands in for unknown ones, if there is one of that name. */
  readonly defaultRule?: string
  readonly log: Logger
  /** Milliseconds of a clock that nobody sets. */
  readonly ticks?: () => number
}

/**
 * The registered rules with the operator's files on top. The files are read anew when one changes; while one is broken, or
 * the main one gone, the last good rules stay in force. PolicyFileError when they cannot be used at the start: nobody
 * knows then what the operator wants to allow.
 */
export class PolicyEngine implements Policy {
  readonly #options: Required<PolicyOptions>
  #rules: RuleSet
  #version = 1
  #files: PolicyFiles
  #usesMain: boolean
  #lookedAt: number

  constructor(options: PolicyOptions) {
    this.#options = { dirs: [], defaultRule: 'default', ticks: () => performance.now(), ...options }
    this.#lookedAt = this.#options.ticks()
    this.#files = findPolicyFiles(this.#options)
    this.#rules = this.#compile(this.#files)
    this.#usesMain = this.#files.hasMain
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
    return enforceRule(rule, {
      rules: this.#rules,
      defaultRule: this.#options.defaultRule,
      credentials: credentialsOf(caller, ctx.isAdmin),
      target: target ?? { project_id: caller.projectId, user_id: caller.userId },
    })
  }

  defines(rule: string): boolean {
    return this.#rules.has(rule)
  }

  #refresh(): void {
    const now = this.#options.ticks()
    if (now - this.#lookedAt < RELOAD_CHECK_MS) return
    this.#lookedAt = now
    const { log, file } = this.#options
    try {
      const files = findPolicyFiles(this.#options)
      if (files.stamp === this.#files.stamp) return
      // Kept before it is read: a file that cannot be used is told of once.
      this.#files = files
      if (this.#usesMain && !files.hasMain) throw new Error(`policy file ${file} is gone`)
      this.#rules = this.#compile(files)
      this.#usesMain = files.hasMain
      this.#version += 1
      log.info({ files: files.paths }, 'the policy was read anew')
    } catch (error) {
      log.warn({ why: messageOf(error) }, 'the policy cannot be used; the last good rules stay')
    }
  }

  #compile(files: PolicyFiles): RuleSet {
    const { rules, problems } = compileRules(readPolicyFiles(files), this.#options.defaultRule)
    for (const problem of problems) {
      this.#options.log.warn({ files: files.paths, why: problemText(problem) }, 'a rule of the policy denies')
    }
    return rules
  }
}
