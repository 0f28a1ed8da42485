// SPDX-License-Identifier: GPL-2.0-only
/*
 * A DRM device that can do nothing but synchronisation objects.
 *
 * These are the one user of fence chains that user space can drive without any
 * hardware, but the virtual drivers do not switch them on. All the code that
 * tests reach through this device is DRM's own.
 */

#include <linux/module.h>
#include <linux/platform_device.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>

DEFINE_DRM_GEM_FOPS(syncobj_device_fops);

static const struct drm_driver syncobj_device_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE,
	.fops = &syncobj_device_fops,
	.name = "syncobj-test",
	.desc = "Synchronisation objects for tests",
	.date = "20241117",
	.major = 1,
};

static struct platform_device *syncobj_parent;
static struct drm_device *syncobj_device;

static int __init syncobj_device_init(void)
{
	int ret;

	syncobj_parent = platform_device_register_simple("syncobj-test",
							 PLATFORM_DEVID_NONE,
							 NULL, 0);
	if (IS_ERR(syncobj_parent))
		return PTR_ERR(syncobj_parent);

	syncobj_device = drm_dev_alloc(&syncobj_device_driver,
				       &syncobj_parent->dev);
	if (IS_ERR(syncobj_device)) {
		ret = PTR_ERR(syncobj_device);
		goto err_unregister;
	}

	ret = drm_dev_register(syncobj_device, 0);
	if (ret)
		goto err_put;

	return 0;

err_put:
	drm_dev_put(syncobj_device);
err_unregister:
	platform_device_unregister(syncobj_parent);
	return ret;
}

static void __exit syncobj_device_exit(void)
{
	drm_dev_unregister(syncobj_device);
	drm_dev_put(syncobj_device);
	platform_device_unregister(syncobj_parent);
}

module_init(syncobj_device_init);
module_exit(syncobj_device_exit);

MODULE_DESCRIPTION("DRM device for tests of synchronisation objects");
MODULE_LICENSE("GPL");
