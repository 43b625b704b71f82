// SPDX-License-Identifier: GPL-2.0
/* Order of initialisation, and the reverse; nothing else. */
#include <linux/genetlink.h>
#include <linux/module.h>
#include <net/genetlink.h>
#include <net/rtnetlink.h>
#include <linux/esptun.h>
#include "ablate.h"
#include "alg/alg.h"
#include "sa/charge.h"
#include "dev.h"
#include "netlink/netlink.h"
#include "util/order.h"
#include "util/pages.h"
#include "sa/reclaim.h"
#include "rx/rx.h"
#include "sa/sa.h"
#include "tx/dummy.h"
#include "util/spread.h"

#ifdef ESPTUN_ABLATE
unsigned int esptun_ablated;
module_param_named(ablate, esptun_ablated, uint, 0644);
MODULE_PARM_DESC(ablate, "mechanisms to turn off, see ablate.h");
#endif

static int __init esptun_init(void)
{
	int err;

	err = esptun_alg_module_init();
	if (err)
		return err;
	err = esptun_pages_module_init();
	if (err)
		goto err_alg;
	err = esptun_spread_module_init();
	if (err)
		goto err_pages;
	err = esptun_order_module_init();
	if (err)
		goto err_spread;
	err = esptun_charge_module_init();
	if (err)
		goto err_order;
	err = esptun_reclaim_module_init();
	if (err)
		goto err_charge;
	err = esptun_sa_module_init();
	if (err)
		goto err_reclaim;
	err = esptun_rx_module_init();
	if (err)
		goto err_sa;
	err = esptun_dummy_module_init();
	if (err)
		goto err_rx;
	err = esptun_dev_module_init();
	if (err)
		goto err_dummy;
	err = esptun_netlink_module_init();
	if (err)
		goto err_dev;
	return 0;

err_dev:
	esptun_dev_module_exit();
err_dummy:
	esptun_dummy_module_exit();
err_rx:
	esptun_rx_module_exit();
err_sa:
	esptun_sa_module_exit();
err_reclaim:
	esptun_reclaim_module_exit();
err_charge:
	esptun_charge_module_exit();
err_order:
	esptun_order_module_exit();
err_spread:
	esptun_spread_module_exit();
err_pages:
	esptun_pages_module_exit();
err_alg:
	esptun_alg_module_exit();
	return err;
}

static void __exit esptun_exit(void)
{
	esptun_netlink_module_exit();
	esptun_dev_module_exit();
	esptun_dummy_module_exit();
	esptun_reclaim_module_exit();
	esptun_rx_module_exit();
	esptun_sa_module_exit();
	esptun_charge_module_exit();
	esptun_order_module_exit();
	esptun_spread_module_exit();
	esptun_pages_module_exit();
	esptun_alg_module_exit();
}

module_init(esptun_init);
module_exit(esptun_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("IPsec ESP in UDP as a network device");
MODULE_VERSION(ESPTUN_VERSION);
MODULE_ALIAS_RTNL_LINK(ESPTUN_KIND);
MODULE_ALIAS_GENL_FAMILY(ESPTUN_GENL_NAME);
