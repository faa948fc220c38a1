"""The adversary of the generators in training: a PatchGAN that is trained along with them, by the least-squares loss (Mao et al. 2017)."""
import torch
from torch.nn import functional as F

from tryon.models.discriminator import PatchGAN

SOME = 0.05  # share of a patch that is painted: less is not judged


class Adversary:
    """Made by ``Task.prepare`` in each worker; ``condition``: channels of what the generator sees."""

    def __init__(self, device, wrap, condition: int):
        self.judge = PatchGAN(condition=condition).to(device)
        self.critic = wrap(self.judge)  # for its own loss; the generator's goes through it unwrapped, as it leaves its weights alone
        self.optimizer = torch.optim.Adam(self.judge.parameters(), 2e-4, betas=(0.5, 0.99))

    def state(self) -> dict:
        return {"judge": self.judge.state_dict(), "judge_optimizer": self.optimizer.state_dict()}

    def load(self, state: dict) -> None:
        self.judge.load_state_dict(state["judge"])
        self.optimizer.load_state_dict(state["judge_optimizer"])

    def __call__(self, made: torch.Tensor, truth: torch.Tensor, x_BCHW: torch.Tensor, painted: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """A step of the judge, and how far it is from taking ``made`` for real where something is ``painted`` (B1HW in 0..1): a loss, and the losses of both. made, truth: pictures
        B3HW in 0..1 of the condition x."""
        self.judge.requires_grad_(True)
        real, fake = self.critic(torch.cat((truth, made.detach())), torch.cat((x_BCHW, x_BCHW))).float().chunk(2)
        where = F.interpolate(painted, size=real.shape[-2:], mode="area") > SOME
        count = where.sum().clamp(min=1)
        judged = (((real - 1) ** 2 + fake ** 2) * where).sum() / count / 2
        self.optimizer.zero_grad(set_to_none=True)
        judged.backward()
        self.optimizer.step()
        self.judge.requires_grad_(False)
        fooled = (((self.judge(made, x_BCHW).float() - 1) ** 2) * where).sum() / count
        return fooled, {"judge": judged.detach(), "fooled": fooled.detach()}
