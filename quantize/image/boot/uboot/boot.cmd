# Which of the two systems starts, with RAUC's variables: BOOT_ORDER, and tries left of each (BOOT_a_LEFT, BOOT_b_LEFT).
# A system that has been found good has nine and is not counted down, so that nothing is written at a usual start; an
# update has three until it has proved itself (system.conf: boot-attempts, boot-attempts-primary).

# What the firmware said of this start must not be saved as if it were for all.
setenv devicetree ${fdt_addr}
setenv fdt_addr
setenv system
setenv save
if test -z "${BOOT_ORDER}"; then
  setenv BOOT_ORDER "a b"
  setenv BOOT_a_LEFT 9
  setenv BOOT_b_LEFT 0
  setenv save yes
fi
for name in "${BOOT_ORDER}"; do
  if test -n "${system}"; then
    true
  elif test "${name}" = a; then
    if test ${BOOT_a_LEFT} -gt 0; then
      setenv system a
      if test ${BOOT_a_LEFT} -le 3; then
        setexpr BOOT_a_LEFT ${BOOT_a_LEFT} - 1
        setenv save yes
      fi
    fi
  elif test "${name}" = b; then
    if test ${BOOT_b_LEFT} -gt 0; then
      setenv system b
      if test ${BOOT_b_LEFT} -le 3; then
        setexpr BOOT_b_LEFT ${BOOT_b_LEFT} - 1
        setenv save yes
      fi
    fi
  fi
done
if test -z "${system}"; then
  echo "No system has tries left: both get three more."
  setenv BOOT_ORDER "a b"
  setenv BOOT_a_LEFT 3
  setenv BOOT_b_LEFT 3
  saveenv
  reset
fi
if test -n "${save}"; then
  setenv save
  saveenv
fi

setenv at "${devtype} ${devnum}:${distro_bootpart}"
setenv options
load ${at} ${scriptaddr} ${system}/entry.conf && env import -t ${scriptaddr} ${filesize} options
setenv bootargs "${options}"
load ${at} ${kernel_addr_r} ${system}/linux && load ${at} ${ramdisk_addr_r} ${system}/initrd && booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${devicetree}
# Also a good one that can't be read is left, or it would be tried for ever.
echo "System ${system} does not start."
setenv BOOT_${system}_LEFT 0
saveenv
sleep 5
reset
