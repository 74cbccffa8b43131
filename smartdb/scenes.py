"""Scenes: where the picture of a video changes at once, by FFmpeg's measure of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

THRESHOLD = 0.3
"""FFmpeg's scene score, from 0 to 1, above which a frame begins a scene."""


class Cuts:
    """Told the frames of a video one by one, says whether each begins a scene; the first does."""

    def __init__(self, threshold: float = THRESHOLD) -> None:
        self.threshold = threshold
        self._like: tuple[int, int, str] | None = None
        self._graph: Any = None

    def begins(self, frame: VideoFrame) -> bool:
        """Whether a scene begins with this frame; so does one of another size than the last."""
        import av

        like = (frame.width, frame.height, frame.format.name)
        if like != self._like:
            self._like, self._graph = like, self._filter(frame)
        self._graph.vpush(frame)
        try:
            self._graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return False
        return True

    def _filter(self, frame: VideoFrame) -> Any:
        """FFmpeg's filter `select`, which lets a frame through at once or not at all."""
        import av

        graph = av.filter.Graph()
        source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
        )
        select = graph.add("select", f"eq(n,0)+gt(scene,{self.threshold:f})")
        source.link_to(select)
        select.link_to(graph.add("buffersink"))
        graph.configure()
        return graph
