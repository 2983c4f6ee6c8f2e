/** zun.conf of a service that works with a cloud, as docs/openstack.md tells operators to write it. */
import { account } from './accounts.ts'

export interface CloudConfOptions {
  /** With /v3. */
  readonly authUrl: string
  readonly region: string
}

type Groups = Readonly<Record<string, Readonly<Record<string, string>>>>

export function cloudGroups({ authUrl, region }: CloudConfOptions): Groups {
  const { username, password, project } = account('zun')
  const login = {
    auth_url: authUrl,
    auth_type: 'password',
    username,
    password,
    user_domain_name: 'Default',
    project_name: project,
    project_domain_name: 'Default',
  }
  const clients = ['cinder', 'glance', 'neutron', 'placement'].map(
    (name) => [`${name}_client`, { region_name: region }] as const,
  )
  return {
    keystone_authtoken: { www_authenticate_uri: authUrl, ...login, region_name: region },
    keystone_auth: login,
    ...Object.fromEntries(clients),
  }
}

export function cloudConf(options: CloudConfOptions): string {
  const groups = Object.entries(cloudGroups(options)).map(([group, values]) => {
    return [`[${group}]`, ...Object.entries(values).map(([name, value]) => `${name} = ${value}`)].join('\n')
  })
  return `${groups.join('\n')}\n`
}
