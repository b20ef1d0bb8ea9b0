/// The structure of CLIP's residual networks (Radford et al. 2021, table 19). Their files have no configuration: it is read
/// from the shapes of their tensors.
public struct CLIPResNetConfiguration: Sendable, Hashable {
  /// Blocks of each of the four stages: 3, 4, 6, 3 for RN50.
  public var stages: [Int]
  /// Channels behind the stem: 64 for RN50.
  public var width: Int
  /// Width of the space that texts and pictures share.
  public var projectionWidth: Int
  /// Side of a picture, a multiple of 32.
  public var imageSize: Int

  /// RN50's structure, or another.
  public init(
    stages: [Int] = [3, 4, 6, 3], width: Int = 64, projectionWidth: Int = 1024, imageSize: Int = 224
  ) {
    self.stages = stages
    self.width = width
    self.projectionWidth = projectionWidth
    self.imageSize = imageSize
  }

  /// Channels behind the last stage, where attention pools.
  public var pooledWidth: Int { 32 * width }
  /// Heads of the pooling attention: of 64 channels each.
  public var heads: Int { max(1, pooledWidth / 64) }
  /// Side of the grid that attention pools.
  public var pooledSide: Int { imageSize / 32 }
}
