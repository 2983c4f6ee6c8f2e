/** What the API and the terminals are told: addresses, rules, quotas. */
import { flag, lines, list, optionalText, port, quota, text, whole } from '../kinds.ts'

export const API_OPTIONS = {
  apiPort: port('api', 'port', { fallback: '9517', help: 'TCP port of the API.' }),
  apiHostIp: text('api', 'host_ip', { fallback: '$my_ip', help: 'Address the API listens on.' }),
  maxLimit: whole(1, 1_000_000)('api', 'max_limit', { fallback: '1000', help: 'Largest page of a list.' }),
  publicEndpoint: optionalText('api', 'public_endpoint', {
    fallback: '',
    help: 'Scheme and host for links, e.g. https://cloud.example:9517; empty: as the request came.',
  }),
  enableProxyHeaders: flag('oslo_middleware', 'enable_proxy_headers_parsing', {
    fallback: 'false',
    help: 'Believe X-Forwarded-Proto and X-Forwarded-Host.',
  }),
  allowedOrigins: list('cors', 'allowed_origin', { fallback: '', help: 'Origins that browsers may call from.' }),
  healthcheckDisableFile: text('healthcheck', 'disable_by_file_path', {
    fallback: '/etc/zun/healthcheck_disable',
    help: 'While this file exists the healthcheck answers 503.',
  }),
  quotaContainers: quota('quota', 'containers', { fallback: '40', help: 'Per project; -1: unlimited.' }),
  quotaMemory: quota('quota', 'memory', { fallback: '51200', help: 'MiB per project.' }),
  quotaCpu: quota('quota', 'cpu', { fallback: '20', help: 'Cores per project.' }),
  quotaDisk: quota('quota', 'disk', { fallback: '100', help: 'GiB per project.' }),
  quotaDriver: text('quota', 'driver', {
    fallback: 'zun.common.quota.DbQuotaDriver',
    help: 'A name that ends in NoopQuotaDriver switches quotas off.',
  }),
  wsproxyHost: text('websocket_proxy', 'wsproxy_host', { fallback: '$my_ip', help: 'Address terminals listen on.' }),
  wsproxyPort: port('websocket_proxy', 'wsproxy_port', { fallback: '6784', help: 'TCP port of terminals.' }),
  wsproxyBaseUrl: text('websocket_proxy', 'base_url', {
    fallback: 'ws://$wsproxy_host:$wsproxy_port/',
    help: 'Where users reach the terminals; with its trailing slash.',
  }),
  wsproxyAllowedOrigins: list('websocket_proxy', 'allowed_origins', {
    fallback: '',
    help: "Host names, besides the request's own, that a browser may come from.",
  }),
  policyFile: text('oslo_policy', 'policy_file', {
    fallback: 'policy.yaml',
    help: 'Rules that replace the defaults; looked for beside the configuration when it is not a full path.',
  }),
  policyDirs: lines('oslo_policy', 'policy_dirs', {
    fallback: 'policy.d',
    help: 'Directories whose files come on top of the policy file; may be given several times.',
    multiple: true,
  }),
  policyDefaultRule: text('oslo_policy', 'policy_default_rule', {
    fallback: 'default',
    help: 'Rule that stands in for unknown ones, if there is one of that name.',
  }),
} as const
