import Diffusion
import TestSupport
import Testing

@Suite struct TimestepGridTests {
  @Test func countsDownAsThePaperSays() {
    #expect(TimestepSpacing.leading.timesteps(4, of: 1000) == [750, 500, 250, 0])
    #expect(TimestepSpacing.leading.timesteps(4, of: 1000, offset: 1) == [751, 501, 251, 1])
    #expect(TimestepSpacing.trailing.timesteps(4, of: 1000) == [999, 749, 499, 249])
    #expect(TimestepSpacing.linspace.timesteps(4, of: 1000) == [999, 666, 333, 0])
    #expect(TimestepSpacing.linspace.timesteps(1, of: 1000) == [0])
  }

  @Test(arguments: TimestepSpacing.allCases)
  func allTimestepsAreAllTimesteps(_ spacing: TimestepSpacing) {
    #expect(spacing.timesteps(1000, of: 1000) == (0..<1000).reversed())
  }

  @Test(arguments: TimestepSpacing.allCases)
  func fallsWithinTheChain(_ spacing: TimestepSpacing) {
    for count in 1...300 {
      let steps = spacing.timesteps(count, of: 1000)
      #expect(steps.count == count)
      #expect(steps.allSatisfy { (0..<1000).contains($0) })
      #expect(zip(steps, steps.dropFirst()).allSatisfy(>))
    }
  }
}
