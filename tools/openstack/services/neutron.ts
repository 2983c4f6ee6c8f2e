import { mkdirSync, writeFileSync } from 'node:fs'
import { command } from '../commands.ts'
import { answers, startDaemon } from '../daemons.ts'
import { writeIni } from '../ini.ts'
import { CONTROLLER, NODES, TRANSPORT_URL, URLS, type Places } from '../places.ts'
import { authentication, PRIVILEGES } from './common.ts'
import { databaseOptions } from './database.ts'

/**
 * Neutron with the ML2 plug-in: networks in vxlan, bridged on each node by the linuxbridge agent, which is the one that
 * needs no more of a kernel than bridges and iptables. DHCP on the first node; no router and no metadata agent.
 */
export async function startNeutron(places: Places): Promise<void> {
  mkdirSync(places.data('neutron', 'lock'), { recursive: true })
  const file = writeNeutron(places)
  const plugin = writeIni(places.etc('ml2.conf'), {
    ml2: {
      type_drivers: 'local,vxlan',
      tenant_network_types: 'vxlan',
      // Broadcasts go to those nodes of which Neutron knows that they have a port there.
      mechanism_drivers: 'linuxbridge,l2population',
      extension_drivers: 'port_security',
    },
    ml2_type_vxlan: { vni_ranges: '1:1000' },
    securitygroup: { firewall_driver: 'iptables', enable_security_group: true, enable_ipset: true },
  })
  const files = ['--config-file', file, '--config-file', plugin]
  await command(places, ['neutron-db-manage', ...files, 'upgrade', 'heads'])
  const server = startDaemon(places, { name: 'neutron-server', argv: ['neutron-server', ...files] })
  await server.ready(async () => answers(URLS.network))
  startDhcpAgent(places, files)
  for (const { name, address } of NODES) {
    const own = writeIni(places.etc(`linuxbridge-${name}.conf`), {
      DEFAULT: { host: name },
      linux_bridge: { physical_interface_mappings: '' },
      vxlan: { enable_vxlan: true, local_ip: address, l2_population: true },
      AGENT: { polling_interval: 1 },
    })
    startDaemon(places, {
      name: `linuxbridge-${name}`,
      argv: ['neutron-linuxbridge-agent', ...files, '--config-file', own],
      ...(name === CONTROLLER.name ? {} : { node: name }),
    })
  }
}

function writeNeutron(places: Places): string {
  const contexts = ['', '_conntrack', '_dhcp_release', '_link', '_namespace', '_ovs_vsctl']
  return writeIni(places.etc('neutron.conf'), {
    DEFAULT: {
      host: CONTROLLER.name,
      bind_host: '0.0.0.0',
      bind_port: 9696,
      use_stderr: true,
      core_plugin: 'ml2',
      service_plugins: 'router',
      api_workers: 1,
      rpc_workers: 1,
      rpc_state_report_workers: 0,
      api_paste_config: '/etc/neutron/api-paste.ini',
      state_path: places.data('neutron'),
      transport_url: TRANSPORT_URL,
      // There is no Nova that would want to hear of it.
      notify_nova_on_port_status_changes: false,
      notify_nova_on_port_data_changes: false,
      agent_down_time: 40,
    },
    AGENT: { root_helper: '', report_interval: 10 },
    // Without this, releases that have given the agent up refuse to load its driver.
    experimental: { linuxbridge: true },
    database: databaseOptions('neutron'),
    keystone_authtoken: authentication('neutron'),
    oslo_concurrency: { lock_path: places.data('neutron', 'lock') },
    oslo_messaging_rabbit: { heartbeat_in_pthread: false },
    ...Object.fromEntries(contexts.map((context) => [`privsep${context}`, PRIVILEGES])),
  })
}

function startDhcpAgent(places: Places, files: readonly string[]): void {
  const resolver = places.etc('dnsmasq.conf')
  writeFileSync(resolver, 'no-resolv\n')
  const own = writeIni(places.etc('dhcp.conf'), {
    DEFAULT: {
      interface_driver: 'linuxbridge',
      dhcp_driver: 'neutron.agent.linux.dhcp.Dnsmasq',
      enable_isolated_metadata: false,
      dnsmasq_config_file: resolver,
      dnsmasq_local_resolv: false,
      resync_interval: 5,
      num_sync_threads: 1,
    },
  })
  startDaemon(places, { name: 'dhcp-agent', argv: ['neutron-dhcp-agent', ...files, '--config-file', own] })
}
