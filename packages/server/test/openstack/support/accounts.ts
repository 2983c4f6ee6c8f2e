/** The accounts of the services under test, as the clouds.yaml that ZUND_TEST_OPENSTACK names has them. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

export type AccountName = 'admin' | 'demo' | 'alt_demo' | 'zun'

export interface Account {
  readonly name: AccountName
  /** Ends in /v3. */
  readonly authUrl: string
  readonly username: string
  readonly password: string
  readonly project: string
  readonly region: string
}

/** Path of the clouds.yaml, for programs that read it by themselves. */
export function cloudsYaml(): string {
  const path = process.env['ZUND_TEST_OPENSTACK'] ?? ''
  if (path === '') throw new Error('ZUND_TEST_OPENSTACK must name a clouds.yaml; ./zund test openstack sets it')
  return path
}

export function account(name: AccountName): Account {
  const { clouds } = parse(readFileSync(cloudsYaml(), 'utf8'), { merge: true }) as {
    clouds: Readonly<Record<string, { region_name: string; auth: Readonly<Record<string, string>> }>>
  }
  const found = clouds[name]
  if (found === undefined) throw new Error(`${cloudsYaml()} has no cloud ${name}`)
  const of = (key: string): string => found.auth[key] ?? ''
  return {
    name,
    authUrl: of('auth_url'),
    username: of('username'),
    password: of('password'),
    project: of('project_name'),
    region: found.region_name,
  }
}
