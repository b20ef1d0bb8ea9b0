import TensorCore
import TensorLayers

/// How large pictures are cut into tiles, so that the memory of an autoencoder does not grow with them.
public struct AutoencoderTiling: Sendable, Hashable {
  /// The side of a latent's tile.
  public let latentSide: Int
  /// The share of a tile that it has in common with the next, where the two are blended.
  public let overlap: Double

  /// Tiles of `latentSide` that overlap by a share below 1.
  public init(latentSide: Int, overlap: Double = 0.25) {
    require(
      latentSide > 1 && (0..<1).contains(overlap), "AutoencoderTiling",
      "tiles of \(latentSide) with \(overlap) in common: expected 2 or more, and 0 to below 1")
    self.latentSide = latentSide
    self.overlap = overlap
  }
}

extension KLAutoencoder {
  /// Tiles of the size that the autoencoder was trained on.
  public var usualTiling: AutoencoderTiling {
    AutoencoderTiling(
      latentSide: max(2, configuration.sampleSize / configuration.reduction))
  }

  /// ``decode(_:mode:)`` tile by tile, with seams blended linearly: near the whole, not the same, since a tile's group
  /// norms and attention see the tile alone.
  public func decode(_ latent: Tensor, tiling: AutoencoderTiling) -> Tensor {
    let side = tiling.latentSide
    if latent.shape[1] <= side && latent.shape[2] <= side { return decode(latent) }
    return Self.tiled(
      latent, side: side, resultSide: side * configuration.reduction, overlap: tiling.overlap
    ) { decode($0) }
  }

  /// ``encode(_:mode:)`` tile by tile, with the moments blended at the seams.
  public func encode(_ picture: Tensor, tiling: AutoencoderTiling) -> DiagonalGaussian {
    let side = tiling.latentSide * configuration.reduction
    if picture.shape[1] <= side && picture.shape[2] <= side { return encode(picture) }
    let moments = Self.tiled(
      picture, side: side, resultSide: tiling.latentSide, overlap: tiling.overlap
    ) { tile in
      let features = encoder(tile, mode: .inference)
      return quant.map { $0(features) } ?? features
    }
    return DiagonalGaussian(moments: moments, clampedTo: -30...20)
  }

  /// Each sample of a batch by itself, in the tiles that ``tiling`` asks for: the memory of one.
  public func decodeSlices(_ latents: Tensor) -> Tensor {
    Tensor.concatenated(
      latents.split(axis: 0, into: latents.shape[0]).map { latent in
        tiling.map { decode(latent, tiling: $0) } ?? decode(latent)
      }, axis: 0)
  }

  /// What `body` makes of tiles of `x`, blended where they overlap and joined.
  private static func tiled(
    _ x: Tensor, side: Int, resultSide: Int, overlap: Double, _ body: (Tensor) -> Tensor
  ) -> Tensor {
    // In the coarser of the two, so that what is kept of every tile is a whole step in both.
    let coarse = min(side, resultSide)
    let shared = min(Int(Double(coarse) * overlap), coarse - 1)
    let step = (coarse - shared) * (side / coarse)
    let kept = (coarse - shared) * (resultSide / coarse)
    let extent = resultSide - kept
    var above: [Tensor] = []
    var strips: [Tensor] = []
    for top in stride(from: 0, to: x.shape[1], by: step) {
      let rows = x.sliced(axis: 1, top..<min(top + side, x.shape[1]))
      var row: [Tensor] = []
      for (index, left) in stride(from: 0, to: x.shape[2], by: step).enumerated() {
        var tile = body(rows.sliced(axis: 2, left..<min(left + side, x.shape[2])))
        if !above.isEmpty { tile = blended(above[index], into: tile, axis: 1, extent) }
        if let last = row.last { tile = blended(last, into: tile, axis: 2, extent) }
        row.append(tile)
      }
      let parts = row.map { tile in
        tile.sliced(axis: 1, 0..<min(kept, tile.shape[1]))
          .sliced(axis: 2, 0..<min(kept, tile.shape[2]))
      }
      strips.append(Tensor.concatenated(parts, axis: 2))
      above = row
    }
    return Tensor.concatenated(strips, axis: 1)
  }

  /// `tile` with its beginning along `axis` faded in from the end of the tile before.
  private static func blended(
    _ before: Tensor, into tile: Tensor, axis: Int, _ extent: Int
  ) -> Tensor {
    let width = min(extent, before.shape[axis], tile.shape[axis])
    guard width > 0 else { return tile }
    let ending = before.sliced(axis: axis, before.shape[axis] - width..<before.shape[axis])
    let beginning = tile.sliced(axis: axis, 0..<width)
    var shape = [1, 1, 1, 1]
    shape[axis] = width
    let share = Tensor((0..<width).map { Double($0) / Double(width) }, shape: shape)
      .converted(to: tile.dtype)
    let seam = ending + (beginning - ending) * share
    if width == tile.shape[axis] { return seam }
    return Tensor.concatenated(
      [seam, tile.sliced(axis: axis, width..<tile.shape[axis])], axis: axis)
  }
}
