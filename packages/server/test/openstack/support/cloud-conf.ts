/** zun.conf of a service that works with a cloud, as docs/openstack.md tells operators to write it. */
import { account } from './accounts.ts'

export interface CloudConfOptions {
  /** With /v3. */
  readonly authUrl: string
  readonly region: string
}

export function cloudConf({ authUrl, region }: CloudConfOptions): string {
  const { username, password, project } = account('zun')
  const login = [
    `auth_url = ${authUrl}`,
    'auth_type = password',
    `username = ${username}`,
    `password = ${password}`,
    'user_domain_name = Default',
    `project_name = ${project}`,
    'project_domain_name = Default',
  ]
  const clients = ['cinder', 'glance', 'neutron', 'placement']
  return [
    '[keystone_authtoken]',
    `www_authenticate_uri = ${authUrl}`,
    ...login,
    `region_name = ${region}`,
    '[keystone_auth]',
    ...login,
    ...clients.flatMap((name) => [`[${name}_client]`, `region_name = ${region}`]),
    '',
  ].join('\n')
}
