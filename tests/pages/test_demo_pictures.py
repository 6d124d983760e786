"""Pictures of the demo's guide and of the networks' page; taken as in test_pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from pages.harness import Site
from pages.test_care_pictures import context_of
from pages.test_networks_page import place, world  # noqa: F401 - fixtures
from pages.test_pictures import SIZES, Camera
from pages.test_pictures import pytestmark as pictures_only
from tangguh.customers.crew import enrol_crew
from tangguh.sim.faults import Down, DropReply, Plan
from tangguh.sim.process import World

pytestmark = pictures_only


@pytest.mark.parametrize("size", SIZES)
async def test_pictures_of_the_demo(
    site: Site,
    browser: Browser,
    pictures: Path,
    size: str,
    world: World,  # noqa: F811
) -> None:
    """The guide with a story under way, the list of networks, and one that is at fault."""
    await enrol_crew(site.bank.staff)
    stories = site.bank.door.stories
    assert stories is not None
    stories.networks_url, stories.status_url = world.addresses.control, "http://127.0.0.1:8082"
    lost = DropReply(services=("50", "51", "77", "78"), for_seconds=300)
    await world.healing.put("qris", Plan(faults=(lost,)))
    await world.healing.put("ovo", Plan(faults=(Down(),)))
    context = await context_of(browser, site.url, size)
    camera = Camera(await context.new_page(), pictures, size)
    await camera.page.goto("/demo")
    await camera.take("demo")
    await context.close()
    context = await context_of(browser, world.addresses.control, size)
    camera = Camera(await context.new_page(), pictures, size)
    for path, name in (("/", "networks"), ("/#qris", "network")):
        await camera.page.goto(path)
        await expect(camera.page.locator("#list .broken")).to_have_count(2)
        if name == "network":
            await expect(camera.page.locator("#proof")).not_to_be_empty()
        await camera.take(name)
    await context.close()
