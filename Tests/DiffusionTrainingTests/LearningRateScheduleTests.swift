import DiffusionTraining
import Testing

@Suite struct LearningRateScheduleTests {
  @Test func warmUpRisesInAStraightLine() {
    let schedule = LearningRateSchedule(peak: 1, warmUpSteps: 3)
    let rates = (0..<5).map { schedule.rate(atStep: $0, of: 10) }
    #expect(rates == [0.25, 0.5, 0.75, 1, 1])
  }

  @Test func linearFallsToItsEnd() {
    let schedule = LearningRateSchedule(peak: 2, shape: .linear, warmUpSteps: 2, finalShare: 0.5)
    #expect(schedule.rate(atStep: 2, of: 10) == 2)
    #expect(schedule.rate(atStep: 6, of: 10) == 1.5)
    #expect(schedule.rate(atStep: 10, of: 10) == 1)
    #expect(schedule.rate(atStep: 20, of: 10) == 1)
  }

  @Test func cosineIsHalfWayInTheMiddle() {
    let schedule = LearningRateSchedule(peak: 1, shape: .cosine)
    #expect(schedule.rate(atStep: 0, of: 8) == 1)
    #expect(abs(schedule.rate(atStep: 2, of: 8) - 0.853_553_390_593_273_8) < 1e-15)
    #expect(abs(schedule.rate(atStep: 4, of: 8) - 0.5) < 1e-15)
    #expect(abs(schedule.rate(atStep: 8, of: 8)) < 1e-15)
  }
}
